"""A local stand-in for Stripe, spoken to over real HTTP.

It answers the operations that Discreet calls, in Stripe's wire format, and keeps what it was
told in a file of its own, so that it outlives the program under test. What it does not model it
refuses with status 501, so that a gap is never mistaken for a rule of Stripe's.

Nothing imports this package but the command that starts it: the gateway knows an address and a
key, never whether Stripe or the sandbox answers.
"""
