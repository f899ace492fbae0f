"""A whole session in one process, in virtual time: exchange, lines, gateway, engine, journal, a person."""
