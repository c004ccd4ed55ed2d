"""The mesh's own administration: queues and dead deliveries."""
