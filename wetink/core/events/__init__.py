"""Events: Segment's messages and the ecommerce events they carry, made uniform."""
