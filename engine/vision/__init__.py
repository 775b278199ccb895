"""What a picture shows, in numbers: appearance embeddings and faces."""
