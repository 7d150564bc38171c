package submission

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"whyhow/scripts/internal/workbook"
)

// roster is a class.
type roster struct {
	people []*person
	byID   map[string]*person
	byName map[string][]*person
	github map[string]*person
	keys   map[string]*person
}

type person struct {
	key, name string
	submitted time.Time
	line      int
	found     bool
}

// identifiers are the headers of the columns that identify a person, the best key first: plain words, and what Moodle, Canvas, Gradescope and GitHub Classroom
// call them.
var identifiers = []string{
	"student", "student id", "id", "sid", "id number", "sis user id", "identifier", "login", "login id", "sis login id", "username", "user name",
	"github", "github_username", "email", "email address",
}

const maxRoster = 16 << 20

func readRoster(file string) (*roster, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxRoster+1))
	if err == nil && len(text) > maxRoster {
		err = fmt.Errorf("it has more than %d MiB", maxRoster>>20)
	}
	var r *roster
	if err == nil {
		r, err = parseRoster(text)
	}
	if err != nil {
		return nil, fmt.Errorf("the roster %s: %w", file, err)
	}
	return r, nil
}

func parseRoster(text []byte) (*roster, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	in := csv.NewReader(bytes.NewReader(text))
	in.FieldsPerRecord = -1
	in.TrimLeadingSpace = true
	// Spreadsheets write what the country uses between cells.
	first, _, _ := bytes.Cut(text, []byte("\n"))
	for _, comma := range ";\t" {
		if bytes.Count(first, []byte(string(comma))) > bytes.Count(first, []byte(string(in.Comma))) {
			in.Comma = comma
		}
	}
	header, err := in.Read()
	if err == io.EOF {
		return nil, fmt.Errorf("it is empty")
	}
	if err != nil {
		return nil, err
	}
	for i := range header {
		header[i] = fold(header[i])
	}
	column := func(name string) int { return slices.Index(header, name) }
	if !slices.ContainsFunc(identifiers, func(name string) bool { return column(name) >= 0 }) {
		return nil, workbook.Errorf("its first line names the columns: student or id, login, github, email, name", "no column says who a person is: %s", clean(strings.Join(header, ", "), 200))
	}
	r := &roster{byID: map[string]*person{}, byName: map[string][]*person{}, github: map[string]*person{}, keys: map[string]*person{}}
	for {
		row, err := in.Read()
		if err == io.EOF {
			return r, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := in.FieldPos(0)
		cell := func(name string) string {
			if i := column(name); i >= 0 && i < len(row) {
				return strings.TrimSpace(norm.NFC.String(row[i]))
			}
			return ""
		}
		if err := r.add(line, cell); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func (r *roster) add(line int, cell func(string) string) error {
	if cell("student") == "Points Possible" {
		return nil // the second line of Canvas's gradebook
	}
	p := &person{line: line, name: cmp.Or(cell("name"), cell("full name"), strings.TrimSpace(cell("first name")+" "+cell("last name")+cell("surname")))}
	if p.name == "" && strings.ContainsAny(cell("student"), ", ") {
		p.name = cell("student")
	}
	var ids []string
	for _, name := range identifiers {
		if id := cell(name); id != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		if p.name == "" {
			return nil // an empty line of a spreadsheet
		}
		ids = []string{p.name}
	}
	p.key = key(ids[0])
	if other := r.keys[p.key]; other != nil {
		return fmt.Errorf("%s is on line %d already", p.key, other.line)
	}
	r.keys[p.key] = p
	for _, id := range ids {
		other := r.byID[fold(id)]
		if other == p {
			continue
		}
		if other != nil {
			return fmt.Errorf("%s is on line %d already", clean(id, maxName), other.line)
		}
		r.byID[fold(id)] = p
	}
	for _, login := range []string{cell("github"), cell("github_username")} {
		if login != "" {
			r.github[fold(login)] = p
		}
	}
	for _, spelt := range spellings(p.name) {
		if !slices.Contains(r.byName[spelt], p) {
			r.byName[spelt] = append(r.byName[spelt], p)
		}
	}
	p.name = clean(p.name, maxName)
	if at := cell("submitted"); at != "" {
		var err error
		if p.submitted, err = parseTime(at); err != nil {
			return err
		}
	}
	r.people = append(r.people, p)
	return nil
}

// spellings are the ways in which systems write a name: as it is, "Lee, Ann" as "Ann Lee", and as Canvas squashes it, last names first.
func spellings(name string) []string {
	if name == "" {
		return nil
	}
	if last, first, ok := strings.Cut(name, ","); ok {
		name = strings.TrimSpace(first) + " " + strings.TrimSpace(last)
	}
	all := []string{fold(name), squash(name)}
	words := strings.Fields(name)
	for i := 1; i < len(words); i++ {
		last, first := strings.Join(words[i:], " "), strings.Join(words[:i], " ")
		all = append(all, fold(last+", "+first), fold(last+" "+first), squash(last+first))
	}
	return all
}

// find returns the person on the roster, if there is just one, and otherwise why not.
func (r *roster) find(id identity) (*person, string) {
	for _, one := range id.ids {
		if p := r.byID[fold(one)]; p != nil {
			return p, ""
		}
	}
	named := r.byName[fold(id.name)]
	// A system's own number may be the number of somebody else at the university: it only tells people of one name apart.
	if p := r.byID[id.number]; p != nil && (slices.Contains(named, p) || len(named) == 0 && p.name == "") {
		return p, ""
	}
	switch len(named) {
	case 0:
		return nil, "the roster has nobody of this name"
	case 1:
		return named[0], ""
	}
	return nil, fmt.Sprintf("%d people on the roster are called %s", len(named), clean(id.name, maxName))
}

// ofRepository returns the person whose GitHub login a repository's name ends with, behind a dash; of several the one with the longest.
func (r *roster) ofRepository(name string) *person {
	name = fold(name)
	for i := range len(name) {
		if name[i] == '-' {
			if p := r.github[name[i+1:]]; p != nil {
				return p
			}
		}
	}
	return nil
}

// timeLayouts are those of rosters and of Gradescope's metadata; without a zone, the local one is meant.
var timeLayouts = []string{
	time.RFC3339, "2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05",
	"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02",
}

func parseTime(text string) (time.Time, error) {
	plain := strings.TrimSpace(text)
	if zone, ok := strings.CutSuffix(plain, " UTC"); ok {
		plain = zone + " Z"
	}
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, plain, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; write 2026-11-01 10:00 or 2026-11-01T10:00:00+01:00", clean(text, 40))
}
