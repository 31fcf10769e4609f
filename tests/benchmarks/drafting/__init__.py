"""The drafting run of a grown agency, beside a floor in pure SQL and a loop with the ORM."""
