package sim

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// serveProxy is an HTTP CONNECT proxy that leads the served names to the simulator and refuses all others.
func (s *Sim) serveProxy(w http.ResponseWriter, r *http.Request) {
	host, port, err := net.SplitHostPort(r.Host)
	if r.Method != http.MethodConnect || err != nil {
		http.Error(w, "this proxy only knows CONNECT host:443", http.StatusMethodNotAllowed)
		return
	}
	host = strings.ToLower(host)
	if s.hosts[host] == 0 || port != "443" {
		s.stats.refused(host)
		http.Error(w, "the simulator does not serve "+host, http.StatusForbidden)
		return
	}
	up, err := net.Dial("tcp", s.Addr())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer up.Close()
	s.wg.Add(1) // Shutdown waits until the connection is hijacked, not longer
	defer s.wg.Done()
	down, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer down.Close()
	if _, err := io.WriteString(down, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	end := make(chan struct{})
	var once sync.Once
	stop := func() { once.Do(func() { close(end) }) }
	var pipes sync.WaitGroup
	pipes.Go(func() { defer stop(); _, _ = io.Copy(up, buf) }) // either side's end closes both
	pipes.Go(func() { defer stop(); _, _ = io.Copy(down, up) })
	select {
	case <-end:
	case <-s.done:
	}
	up.Close()
	down.Close()
	pipes.Wait()
}
