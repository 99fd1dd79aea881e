module carillon.example/bench/load

go 1.24.0
