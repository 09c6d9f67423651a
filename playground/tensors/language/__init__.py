"""The language of scripts: its allow-list, its limits and its interpreter."""
