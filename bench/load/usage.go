package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc: USER_HZ, which is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// cpuTime returns the CPU time of all threads of the processes, in user and kernel mode.
func cpuTime(pids []int) (time.Duration, error) {
	var ticks int64
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, err
		}
		// The name of the program, in parentheses, may contain any characters.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		for _, field := range fields[11:13] {
			count, err := strconv.ParseInt(string(field), 10, 64)
			if err != nil {
				return 0, err
			}
			ticks += count
		}
	}
	return time.Duration(ticks) * tick, nil
}

// residentBytes returns the resident memory of the processes.
func residentBytes(pids []int) (int64, error) {
	var total int64
	for _, pid := range pids {
		statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			return 0, err
		}
		pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
		if err != nil {
			return 0, err
		}
		total += pages * int64(os.Getpagesize())
	}
	return total, nil
}

// machineTime returns the CPU time of all processes of the machine.
func machineTime() (time.Duration, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	var ticks int64
	for i, field := range strings.Fields(line)[1:8] {
		if i == 3 || i == 4 {
			continue // idle, and waiting for a disk
		}
		count, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += count
	}
	return time.Duration(ticks) * tick, nil
}

// usage is the CPU time that everything has used up to a moment.
type usage struct {
	server, store, machine, client time.Duration
}

func usageNow(o options) (u usage, err error) {
	if u.server, err = cpuTime(o.pids); err != nil {
		return u, err
	}
	if u.store, err = cpuTime(o.storePids); err != nil {
		return u, err
	}
	if u.client, err = cpuTime([]int{os.Getpid()}); err != nil {
		return u, err
	}
	u.machine, err = machineTime()
	return u, err
}

// chargeTo adds the differences between two moments to the result.
func (u usage) chargeTo(r *result, since usage) {
	server, store, client := u.server-since.server, u.store-since.store, u.client-since.client
	other := max(0, u.machine-since.machine-server-store-client)
	r.ServerCPU, r.StoreCPU = server.Seconds(), store.Seconds()
	r.ClientCPU, r.OtherCPU = client.Seconds(), other.Seconds()
}
