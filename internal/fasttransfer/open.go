package fasttransfer

import (
	"io"
	"sync"
)

// EML gives the mail that a stream holds, as WriteEML writes it. What is wrong with the stream is an error of reading, as is what its reader says.
// Closing it closes stream.
func EML(stream io.ReadCloser) io.ReadCloser { return &eml{stream: stream} }

type eml struct {
	stream io.ReadCloser
	begin  sync.Once
	out    *io.PipeReader
	done   chan struct{}
}

func (e *eml) Read(p []byte) (int, error) {
	e.begin.Do(func() {
		r, w := io.Pipe()
		e.out, e.done = r, make(chan struct{})
		go func() {
			defer close(e.done)
			m, err := Read(e.stream, Options{})
			if err == nil {
				err = m.WriteEML(w)
				if cerr := m.Close(); err == nil {
					err = cerr
				}
			}
			w.CloseWithError(err)
		}()
	})
	if e.out == nil {
		return 0, io.ErrClosedPipe
	}
	return e.out.Read(p)
}

// Close waits for what writes the mail.
func (e *eml) Close() error {
	e.begin.Do(func() {}) // nothing begins after it
	if e.out != nil {
		_ = e.out.Close() // it has no error
		<-e.done
	}
	return e.stream.Close()
}
