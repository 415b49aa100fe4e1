package holdfast_test

import (
	"testing"

	"holdfast/internal/holdfast"
)

func TestCellIsNoFormula(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plan": "plan", "a=b": "a=b", "-5": "'-5", "+1.5e3": "'+1.5e3", "5": "5", "=1+1": "'=1+1", "+SUM(A1)": "'+SUM(A1)", "-2+3": "'-2+3", "@x": "'@x", "\t=1": "'\t=1", "\r=1": "'\r=1", "  =1": "'  =1", "\n=1": "'\n=1", "\u00a0=1": "'\u00a0=1",
		"＝1+1": "'＝1+1", "＠x": "'＠x", " ": " ", "-": "'-", "+49 221 555": "'+49 221 555",
	} {
		if got := holdfast.Cell(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	for value, want := range map[string]string{"-5": "-5", "+1.5e3": "+1.5e3", "-2+3": "'-2+3", "=1": "'=1", "plan": "plan"} {
		if got := holdfast.ValueCell(value); got != want {
			t.Errorf("the value %q becomes %q, want %q", value, got, want)
		}
	}
}
