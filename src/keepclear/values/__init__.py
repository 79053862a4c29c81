"""What the requests and answers of the HTTP API hold, as both ends of it see them: the server and the client."""
