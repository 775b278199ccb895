"""The user's model in training: adapters, exact gradients, memory."""
