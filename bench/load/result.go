package main

// result is the result of a run. Values that a mode does not measure are 0.
type result struct {
	Seconds       float64 `json:"seconds"`
	Connections   int     `json:"connections"`
	Published     int     `json:"published"`
	Deliveries    int     `json:"deliveries"`
	ServerCPU     float64 `json:"serverCpuSeconds"`
	StoreCPU      float64 `json:"storeCpuSeconds"`
	ClientCPU     float64 `json:"clientCpuSeconds"`
	OtherCPU      float64 `json:"otherCpuSeconds"` // of processes outside the bench
	LatencyP50Ms  float64 `json:"latencyP50Ms"`
	LatencyP99Ms  float64 `json:"latencyP99Ms"`
	ResidentBytes int64   `json:"residentBytes"`
}
