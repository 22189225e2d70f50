"""What short measurements of one's own servers tell, one kind of server each."""
