package holdfast

import (
	"encoding/base64"
	"io"
)

// base64Line is how many decoded bytes a line of 76 columns holds.
const base64Line = 57

// EncodeBase64Lines gives the bytes that a Base64 piece stands for: r in standard base64 with padding, in lines of
// 76 columns (the last one may be shorter), each of them, the last too, ended by CRLF. Nothing in gives nothing out.
func EncodeBase64Lines(r io.Reader) io.Reader { return &base64Lines{r: r} }

type base64Lines struct {
	r    io.Reader
	raw  [base64Line * 64]byte
	out  [78 * 64]byte
	left []byte
	err  error
}

func (e *base64Lines) Read(p []byte) (int, error) {
	for len(e.left) == 0 {
		if e.err != nil {
			return 0, e.err
		}
		n, err := io.ReadFull(e.r, e.raw[:])
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			e.err = io.EOF
		default:
			// What came before a broken read is not given out: it might end in the middle of a line.
			e.err = err
			continue
		}
		w := 0
		for line := range chunks(e.raw[:n]) {
			base64.StdEncoding.Encode(e.out[w:], line)
			w += base64.StdEncoding.EncodedLen(len(line))
			w += copy(e.out[w:], "\r\n")
		}
		e.left = e.out[:w]
	}
	n := copy(p, e.left)
	e.left = e.left[n:]
	return n, nil
}

func chunks(b []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := min(len(b), base64Line)
			if !yield(b[:n]) {
				return
			}
			b = b[n:]
		}
	}
}
