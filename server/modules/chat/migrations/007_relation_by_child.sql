-- A child has one parent: what relates to a message with more than fits one walk downwards is found upwards, page by page.
CREATE INDEX relation_by_child ON relation (room_number, child_position);
