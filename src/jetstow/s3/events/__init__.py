"""Events of S3: a JSON message in NATS for each change of an object."""
