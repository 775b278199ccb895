"""The nodes of the pack: schema, checks and wiring, a folder a capability."""
