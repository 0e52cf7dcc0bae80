-- Whether what a receipt names has left this server: 0 no, 1 yes, NULL nobody knows (a crash, or a receipt of before).
ALTER TABLE model_call ADD COLUMN has_left INTEGER;
