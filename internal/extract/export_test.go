package extract

// IdleWorkers gives the processes that wait for a PDF.
func IdleWorkers() (pids []int) {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	for _, w := range pool.idle {
		pids = append(pids, w.cmd.Process.Pid)
	}
	return pids
}

// EndIdleWorkers ends them.
func EndIdleWorkers() {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	for _, w := range pool.idle {
		w.end()
	}
	pool.idle = nil
}

// Fields cuts a text into words.
var Fields = fields
