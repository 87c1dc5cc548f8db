"""What comes in: landing zone, imports, and loads from landed files into typed raw tables."""
