"""The daemon: a small front that owns sockets and queue, and one worker process that computes."""
