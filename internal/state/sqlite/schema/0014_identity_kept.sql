-- Number kept.
SELECT 1;
