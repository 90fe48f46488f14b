"""The pages: server-rendered, working without JavaScript; forms post and redirect."""
