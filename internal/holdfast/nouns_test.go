package holdfast

import (
	"reflect"
	"testing"
)

// Every counter, also one that is added later, goes both ways; what was reported already is not reported again.
func TestStatisticsAddUpAndTellWhatIsNew(t *testing.T) {
	var one, two Statistics
	for _, s := range []struct {
		to *Statistics
		n  int64
		at string
	}{{&one, 3, "Source"}, {&two, 5, "Target"}} {
		v := reflect.ValueOf(s.to).Elem()
		for i := range v.NumField() {
			if v.Field(i).Kind() == reflect.String {
				v.Field(i).SetString(s.at)
			} else {
				v.Field(i).SetInt(s.n + int64(i))
			}
		}
	}
	all := one.Plus(two)
	if all == two || all.Since(one) != two || all.Plus(Statistics{}) != all {
		t.Errorf("%+v and %+v are %+v, of which %+v is new", one, two, all, all.Since(one))
	}
	if again := all.Since(all); again != (Statistics{}) {
		t.Errorf("nothing new is %+v", again)
	}
}
