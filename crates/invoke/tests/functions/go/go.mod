module function

go 1.18
