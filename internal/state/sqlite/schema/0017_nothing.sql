-- Numbers go on without gaps: this one changes nothing.
SELECT 1;
