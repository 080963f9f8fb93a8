"""The store: schema, sessions, and every write.

Everything that knows SQL's data definition, a connection or a transaction lives here, so that the rest of the service
can speak of establishments and inspections. Nothing in this package knows HTTP.
"""
