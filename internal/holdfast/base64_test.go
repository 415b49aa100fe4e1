package holdfast_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"holdfast/internal/holdfast"
)

func TestEncodeBase64LinesEndsEachLineWithCRLF(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 56, 57, 58, 114, 57 * 64, 57*64 + 1, 57*130 + 5} {
		raw := bytes.Repeat([]byte("\x00\xffholdfast"), n/10+1)[:n]
		var want strings.Builder
		for rest := base64.StdEncoding.EncodeToString(raw); rest != ""; {
			k := min(76, len(rest))
			want.WriteString(rest[:k] + "\r\n")
			rest = rest[k:]
		}
		got, err := io.ReadAll(holdfast.EncodeBase64Lines(iotest.OneByteReader(bytes.NewReader(raw))))
		if err != nil || string(got) != want.String() {
			t.Errorf("%d bytes: got %d bytes (%v), want %d", n, len(got), err, want.Len())
		}
	}
}

func TestEncodeBase64LinesPassesErrorsOn(t *testing.T) {
	_, err := io.ReadAll(holdfast.EncodeBase64Lines(iotest.ErrReader(io.ErrClosedPipe)))
	if err != io.ErrClosedPipe {
		t.Errorf("got %v, want the reader's error", err)
	}
}
