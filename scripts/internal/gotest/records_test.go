package gotest

import (
	"strings"
	"testing"
)

// A record counts if it knows the nonce and comes once, in order. One that does not takes all others of its process with it.
func TestRecords(t *testing.T) {
	long := "N 2 end TestA pass " + strings.Repeat("1", longestRecord) + "\n"
	for _, c := range []struct{ name, told, broken string }{
		{"as the tests tell it", "N 1 start TestA\nN 2 end TestA pass 0.5\nN 3 start TestB\nN 4 end TestB fail 0\nN 5 done\n", ""},
		{"a process that died", "N 1 start TestA\n", ""},
		{"nothing", "", ""},
		{"without the nonce", "N 1 start TestA\n1 end TestA pass 0\n", "not written by the tests"},
		{"with another nonce", "M 1 start TestA\n", "not written by the tests"},
		{"one that was left out", "N 1 start TestA\nN 3 done\n", "record 3 came where record 2 was due"},
		{"one that came twice", "N 1 start TestA\nN 1 start TestA\n", "record 1 came where record 2 was due"},
		{"a step that started twice", "N 1 start TestA\nN 2 end TestA fail 0\nN 3 start TestA\nN 4 end TestA pass 0\n", "TestA started twice"},
		{"a step inside another", "N 1 start TestA\nN 2 start TestB\n", "TestB started twice, or inside another"},
		{"an end before the start", "N 1 end TestA pass 0\n", "TestA ended without a start"},
		{"two ends", "N 1 start TestA\nN 2 end TestA fail 0\nN 3 end TestA pass 0\n", "TestA ended without a start"},
		{"the end of another", "N 1 start TestA\nN 2 end TestB pass 0\n", "TestB ended without a start"},
		{"after the last", "N 1 done\nN 2 start TestA\n", "after the last"},
		{"something else", "N 1 pass TestA\n", "says nothing that is known"},
		{"a record without end", "N 1 start TestA\n" + long, "a record has no end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecords()
			r.nonce = "N"
			rest := strings.NewReader(c.told)
			r.listen(rest)
			if c.broken == "" && r.broken != "" || !strings.Contains(r.broken, c.broken) {
				t.Errorf("broken = %q, want %q", r.broken, c.broken)
			}
			if rest.Len() > 0 {
				t.Errorf("%d bytes were not read: who writes them waits for ever", rest.Len())
			}
		})
	}
	r := newRecords()
	r.nonce = "N"
	r.listen(strings.NewReader("N 1 start TestA\nN 2 end TestA pass 0.5\nN 3 start TestB\n"))
	if a := r.of["TestA"]; a == nil || a.verdict != "pass" || a.seconds != 0.5 || r.died(a) {
		t.Errorf("TestA = %+v, want a pass of 0.5 s", a)
	}
	if b := r.of["TestB"]; b == nil || b.verdict != "" || !r.died(b) || r.last != b {
		t.Errorf("TestB = %+v, want it to have died", b)
	}
}
