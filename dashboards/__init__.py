"""What people look at: figures and cards as SQL over the serving copy."""
