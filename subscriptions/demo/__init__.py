"""A sample agency that lives on one machine: real commands, a real queue, a stand-in for Stripe."""
