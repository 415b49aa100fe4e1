package fasttransfer

import (
	"bytes"
	"io"
)

// Amendment is a property that Amend writes.
type Amendment struct {
	Name  Name
	Value any // as Writer.Set takes it
}

// Amend copies the stream of one message with some of the message's properties set anew; all else stays as it is, byte for byte, except where
// records end. It reads in in bounded memory.
func Amend(out io.Writer, in io.Reader, set ...Amendment) error {
	s := NewScanner(in)
	e, err := s.Next()
	if err != nil {
		return err
	}
	w := NewWriter(out, WriterOptions{Bare: s.Head() == nil, Head: s.Head()})
	message := 0 // the depth of the message's own properties
	amended := false
	for ; err == nil; e, err = s.Next() {
		switch {
		case !amended && (e.Marker == StartMessage || e.Marker == StartFAI):
			message = s.Depth()
		case !amended && e.Is(metaDNPrefix):
		case !amended:
			for _, a := range set {
				w.Set(a.Name, a.Value)
			}
			amended = true
		}
		if e.Marker != 0 {
			w.Mark(e.Marker)
			continue
		}
		if s.Depth() == message && replaced(e, set) {
			continue
		}
		w.Raw(e, s)
	}
	if err != io.EOF {
		return err
	}
	return w.Close()
}

func replaced(e Element, set []Amendment) bool {
	for _, a := range set {
		if want := a.Name.element(e.Type); want.ID < firstNamed && want.ID == e.ID || e.ID >= firstNamed && want.Name == e.Name {
			return true
		}
	}
	return false
}

// WithoutRecords gives the stream alone of an input with or without records.
func WithoutRecords(out io.Writer, in io.Reader) error {
	input := newInput(in)
	defer input.release()
	for {
		if err := input.available(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		b := input.now()
		if _, err := io.Copy(out, bytes.NewReader(b)); err != nil {
			return err
		}
		input.advance(len(b))
	}
}
