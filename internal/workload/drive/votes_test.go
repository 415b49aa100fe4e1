package drive

import "testing"

// Reads of the same content elect it when it is two ahead: one that came out wrong costs one read more and is never taken.
func TestReadsElectWhatTheyAgreeOn(t *testing.T) {
	right, wrong, other := promoted{size: 1}, promoted{size: 2}, promoted{size: 3}
	for _, c := range []struct {
		name  string
		reads []promoted
		at    int // the read that decides; 0: none
		take  promoted
	}{
		{"one read proves nothing", []promoted{right}, 0, right},
		{"two that agree", []promoted{right, right}, 2, right},
		{"a wrong one between", []promoted{right, wrong, right, right}, 4, right},
		{"a wrong one first", []promoted{wrong, right, right, right}, 4, right},
		{"two different wrong ones between", []promoted{right, wrong, right, other, right}, 5, right},
		{"as many wrong ones as right ones", []promoted{right, wrong, right, wrong, right, wrong}, 0, right},
	} {
		v, at := votes{}, 0
		for i, r := range c.reads {
			if v.elect(r) {
				if at = i + 1; r != c.take {
					t.Errorf("%s: read %d takes %v", c.name, at, r)
				}
				break
			}
			v[r]++
		}
		if at != c.at {
			t.Errorf("%s: read %d decides, not %d", c.name, at, c.at)
		}
	}
}
