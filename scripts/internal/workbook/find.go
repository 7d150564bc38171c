package workbook

import (
	"slices"
	"strconv"
	"strings"
)

// Find returns the kata that part names: a number (q05, 5), or any part of a name or title that no other kata has.
// The error's hint lists near matches, or the candidates.
func (w *Workbook) Find(part string) (*Kata, error) {
	want := plain(strings.TrimPrefix(part, "katas/"))
	if want == "" {
		return nil, Errorf("kata list shows them all", "which kata? %q names none", part)
	}
	digits := strings.TrimLeft(strings.TrimPrefix(want, "q"), "0")
	for _, same := range []func(*Kata) bool{
		func(k *Kata) bool { return plain(k.Name) == want || k.Package == want },
		func(k *Kata) bool {
			return digits != "" && strings.TrimLeft(strings.TrimPrefix(k.Number, "q"), "0") == digits
		},
		func(k *Kata) bool {
			_, err := strconv.Atoi(want)
			return err != nil && (strings.Contains(plain(k.Name), want) || strings.Contains(plain(k.Title), want))
		},
	} {
		var found []*Kata
		for _, k := range w.Katas {
			if same(k) {
				found = append(found, k)
			}
		}
		switch {
		case len(found) == 1:
			return found[0], nil
		case len(found) > 1:
			return nil, Errorf("say more of the name: "+names(found), "%q could be %d katas", part, len(found))
		}
	}
	if near := w.near(want); len(near) > 0 {
		return nil, Errorf("did you mean "+names(near)+"?", "no kata is called %q", part)
	}
	return nil, Errorf("kata list shows them all", "no kata is called %q", part)
}

// plain drops what people type differently: case, spaces, dashes.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '_' || r == '/' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

func names(katas []*Kata) string {
	var all []string
	for _, k := range katas {
		all = append(all, k.Name)
	}
	return strings.Join(all, ", ")
}

// near returns the katas with a similar word or name: at most three letters differ, and at most half of want's.
func (w *Workbook) near(want string) []*Kata {
	var found []*Kata
	for _, k := range w.Katas {
		topic := strings.TrimPrefix(k.Name, k.Number+"-")
		words := append(strings.Split(topic, "-"), plain(topic), k.Package)
		if slices.ContainsFunc(words, func(word string) bool { return distance(word, want) <= min(3, len(want)/2) }) {
			found = append(found, k)
		}
	}
	return found
}

// distance is Levenshtein's: the fewest letters to insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
