"""What searches a gallery: a copy of its templates' vectors that follows the database, in this process or outside."""
