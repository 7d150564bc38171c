package submission

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"whyhow/scripts/internal/workbook"
)

// deposits joins what one person handed in at once, as a learning system names it.
func (f *finder) deposits() []*Handle {
	uploads := map[string]int{}
	for _, t := range f.things {
		uploads[t.id.upload]++
	}
	byID := map[string]*Handle{}
	var all []*Handle
	for _, t := range f.things {
		if t.id.upload != "" && uploads[t.id.upload] > 1 {
			t.id = plainName(t.base) // Canvas gives no number twice: it is no name of Canvas's
		}
		h := &Handle{katas: f.katas, identity: t.id, Where: t.where, submitted: t.id.time}
		switch {
		case h.submitted.IsZero():
		case t.id.system == byGradescope:
			h.by = ByMetadata
		default:
			h.by = ByName
		}
		if t.id.system != "" {
			together := strings.Join([]string{t.id.system, t.id.key, t.id.number, t.id.attempt}, "\x00")
			if first := byID[together]; first != nil {
				h = first
				h.Where += ", " + t.where
			} else {
				byID[together] = h
				all = append(all, h)
			}
		} else {
			all = append(all, h)
		}
		if t.problem != "" {
			h.problems = append(h.problems, Problem{"", clean(t.problem, 400)})
		} else {
			t.part.label = clean(t.base, 200)
			h.parts = append(h.parts, t.part)
		}
	}
	for _, h := range all {
		if len(h.parts) == 1 {
			h.parts[0].label = ""
		}
	}
	return all
}

// owners says whose each deposit is.
func (f *finder) owners(all []*Handle) []*Handle {
	numbers := map[string][]string{}
	for _, h := range all {
		id := h.identity
		h.Where = clean(h.Where, 400)
		if n := numbers[id.key]; id.number != "" && !slices.Contains(n, id.number) {
			numbers[id.key] = append(n, id.number)
		}
	}
	for _, h := range all {
		id := h.identity
		h.Student = id.key
		if id.system == byMoodle || id.system == byGradescope {
			h.Name = clean(id.name, maxName)
		}
		if id.number != "" && len(numbers[id.key]) > 1 {
			h.Student += " (" + id.number + ")" // two people of one name
		}
		if f.roster == nil {
			continue
		}
		p, why := f.roster.find(id)
		if _, ok := h.source().(*repository); ok && p == nil {
			p = f.roster.ofRepository(id.name)
		}
		if p == nil {
			h.problems = append(h.problems, Problem{"", why})
			if f.roster.keys[h.Student] != nil {
				h.Student += " (not on the roster)"
			}
			continue
		}
		p.found = true
		h.Student, h.Name = p.key, cmp.Or(p.name, h.Name)
		if !p.submitted.IsZero() {
			h.submitted, h.by = p.submitted, ByRoster
		}
	}
	return all
}

// source is the only source of a handle, nil if there is none or there are several.
func (h *Handle) source() source {
	if len(h.parts) != 1 {
		return nil
	}
	return h.parts[0].source
}

// newest keeps the newest submission of every student.
func (f *finder) newest(ctx context.Context, all []*Handle) ([]*Handle, error) {
	byStudent := map[string][]*Handle{}
	var students []string
	for _, h := range all {
		if byStudent[h.Student] == nil {
			students = append(students, h.Student)
		}
		byStudent[h.Student] = append(byStudent[h.Student], h)
	}
	slices.Sort(students)
	var kept []*Handle
	var failed []error
	for _, s := range students {
		mine := byStudent[s]
		if len(mine) == 1 {
			kept = append(kept, mine[0])
			continue
		}
		times := map[*Handle]time.Time{}
		for _, h := range mine {
			times[h] = h.when(ctx)
		}
		slices.SortStableFunc(mine, func(a, b *Handle) int { return times[b].Compare(times[a]) })
		var where []string
		unknown := times[mine[0]].Equal(times[mine[1]])
		for _, h := range mine {
			where = append(where, h.Where)
			unknown = unknown || times[h].IsZero()
		}
		if unknown {
			failed = append(failed, fmt.Errorf("there are %d submissions of %s, and none is known to be the newest: %s", len(mine), s, strings.Join(where, ", ")))
			continue
		}
		mine[0].problems = append(mine[0].problems, Problem{"", "this is the newest; there is an older one, which was not read: " + strings.Join(where[1:], ", ")})
		kept = append(kept, mine[0])
	}
	if len(failed) > 0 {
		return nil, workbook.Errorf("take one of them away; if they are of several people whose folders have the same name, name the folder above", "%w", errors.Join(failed...))
	}
	return kept, nil
}

// when is the time by which the newest of several submissions is found; zero if it is not known.
func (h *Handle) when(ctx context.Context) time.Time {
	if r, ok := h.source().(*repository); ok && r.ownObjects() == nil {
		if _, at, err := r.commit(ctx); err == nil {
			return at
		}
	}
	return h.identity.time
}

// missing are those on the roster who handed in nothing.
func (f *finder) missing() []*Handle {
	var all []*Handle
	if f.roster == nil {
		return nil
	}
	for _, p := range f.roster.people {
		if !p.found {
			all = append(all, &Handle{Student: p.key, Name: p.name, problems: []Problem{{"", "nothing was handed in"}}})
		}
	}
	return all
}
