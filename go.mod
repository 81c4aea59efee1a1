module honeyguide

go 1.26
