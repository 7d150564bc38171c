package journal

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

// migrations[v] turns a journal of schema v into one of schema v+1; the schema's number is kept in PRAGMA user_version. A new journal goes
// through all of them. What has been released is never changed: add a migration.
var migrations = []func(j *Journal, tx *sql.Tx) error{runs, hintsAndHashes, marks}

// runs begins the schema. A run keeps the whole Report; step repeats of it what queries ask for.
func runs(_ *Journal, tx *sql.Tx) error {
	_, err := tx.Exec(`
		CREATE TABLE run (
			id      INTEGER PRIMARY KEY,
			kata    TEXT NOT NULL,
			subject TEXT NOT NULL,
			start   INTEGER NOT NULL,   -- Unix time in milliseconds
			built   INTEGER NOT NULL,   -- 1, or 0 if the code did not build
			report  TEXT NOT NULL       -- JSON
		) STRICT;
		CREATE INDEX run_of ON run (kata, subject, id);
		CREATE TABLE step (
			run     INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
			test    TEXT NOT NULL,
			status  TEXT NOT NULL,
			points  INTEGER NOT NULL,
			seconds REAL NOT NULL,
			PRIMARY KEY (run, test)
		) STRICT, WITHOUT ROWID`)
	return err
}

// hintsAndHashes keeps hints as rows, which were in a file, and says of a run whether it solved the kata, and with which file. Reports are rewritten to their schema 1.
func hintsAndHashes(j *Journal, tx *sql.Tx) error {
	if _, err := tx.Exec(`
		ALTER TABLE run ADD COLUMN solved INTEGER NOT NULL DEFAULT 0; -- 1 if every step passed
		ALTER TABLE run ADD COLUMN sha256 TEXT NOT NULL DEFAULT '';   -- of the file under test; '' if it is not known
		ALTER TABLE step DROP COLUMN seconds;
		CREATE TABLE hint (
			kata   TEXT NOT NULL,
			test   TEXT NOT NULL,
			number INTEGER NOT NULL,   -- counts from 1
			shown  INTEGER NOT NULL,   -- Unix time in milliseconds
			PRIMARY KEY (kata, test, number)
		) STRICT, WITHOUT ROWID`); err != nil {
		return err
	}
	old := map[int64]string{}
	rows, err := tx.Query("SELECT id, report FROM run")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			return err
		}
		old[id] = text
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for id, text := range old {
		r, err := firstReport(text)
		if err != nil {
			return fmt.Errorf("run %d: %w", id, err)
		}
		report, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE run SET report = ?, solved = ? WHERE id = ?", string(report), r.Solved(), id); err != nil {
			return err
		}
	}
	return j.hintsOfFile(tx)
}

// marks keeps what a class handed in and what it was worth.
func marks(_ *Journal, tx *sql.Tx) error {
	_, err := tx.Exec(`
		CREATE TABLE source (           -- a file that was handed in, by its hash
			sha256 TEXT PRIMARY KEY,
			text   BLOB NOT NULL        -- compressed with gzip
		) STRICT, WITHOUT ROWID;
		CREATE TABLE student (
			student TEXT PRIMARY KEY,
			name    TEXT NOT NULL       -- for people; '' if it is not known
		) STRICT, WITHOUT ROWID;
		CREATE TABLE handed (           -- what counts of a student for a kata: what was graded last
			student   TEXT NOT NULL REFERENCES student,
			kata      TEXT NOT NULL,
			sha256    TEXT NOT NULL,    -- of the file; '' if there is none
			submitted INTEGER NOT NULL, -- Unix time in milliseconds, 0 if it is not known
			note      TEXT NOT NULL,    -- what was wrong with the submission; '' if nothing was
			mark      INTEGER NOT NULL, -- rowid of the mark that counts
			PRIMARY KEY (student, kata)
		) STRICT, WITHOUT ROWID;
		CREATE TABLE mark (
			id       INTEGER PRIMARY KEY,
			student  TEXT NOT NULL,
			kata     TEXT NOT NULL,
			sha256   TEXT NOT NULL,
			judges   TEXT NOT NULL,     -- hash of all that judged
			seed     INTEGER NOT NULL,  -- of the hidden tests
			graded   INTEGER NOT NULL,  -- Unix time in milliseconds
			walls    TEXT NOT NULL,     -- which stood: "gate, bubblewrap, channel"
			score    INTEGER NOT NULL,
			max      INTEGER NOT NULL,
			report   TEXT NOT NULL,     -- JSON
			UNIQUE (student, kata, sha256, judges, seed)
		) STRICT;
		CREATE INDEX judged ON mark (kata, sha256, judges, seed);
		CREATE TABLE seed (             -- from which those of the hidden tests come
			only  INTEGER PRIMARY KEY CHECK (only = 1),
			value INTEGER NOT NULL
		) STRICT;
		CREATE TABLE correction (       -- a mark set by hand; the newest of a student and a kata counts
			id      INTEGER PRIMARY KEY,
			student TEXT NOT NULL,
			kata    TEXT NOT NULL,
			score   INTEGER NOT NULL,
			reason  TEXT NOT NULL,
			made    INTEGER NOT NULL    -- Unix time in milliseconds
		) STRICT`)
	return err
}

// firstReport reads a Report as it was before its schema had a number.
func firstReport(text string) (*gotest.Report, error) {
	var old struct {
		Kata    string
		Subject string
		Start   time.Time
		Build   *struct {
			File         string
			Line, Column int
			Message      string
			Output       string
		}
		Steps []struct {
			gotest.Step
			Output []string
		}
		Figures []gotest.Figure
		Vet     []string
		Elapsed time.Duration
	}
	if err := json.Unmarshal([]byte(text), &old); err != nil {
		return nil, err
	}
	r := &gotest.Report{
		Schema: gotest.Schema, Kata: old.Kata, Subject: old.Subject, Start: old.Start, Seconds: old.Elapsed.Seconds(), Figures: old.Figures,
	}
	if b := old.Build; b != nil {
		r.Build = &gotest.BuildError{Problems: []gotest.Problem{{File: b.File, Line: b.Line, Column: b.Column, Message: b.Message}}, Output: b.Output}
	}
	for _, s := range old.Steps {
		for _, text := range s.Output {
			s.Messages = append(s.Messages, gotest.Message{Text: text})
		}
		r.Steps = append(r.Steps, s.Step)
		r.Max += s.Points
		if s.Status == gotest.Pass {
			r.Score += s.Points
		}
	}
	for _, v := range old.Vet {
		r.Vet = append(r.Vet, gotest.Problem{Message: v})
	}
	return r, nil
}

func (j *Journal) hintsFile() string { return filepath.Join(filepath.Dir(j.Path), "hints.json") }

// hintsOfFile takes over the hints that were counted in a file beside the journal.
func (j *Journal) hintsOfFile(tx *sql.Tx) error {
	file := j.hintsFile()
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	counts := map[string]int{}
	if json.Unmarshal(text, &counts) != nil {
		return nil // it was damaged: hints are shown from the first again
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	for step, n := range counts {
		kata, test, _ := strings.Cut(step, "/")
		if err := showHints(tx, kata, test, n, info.ModTime()); err != nil {
			return err
		}
	}
	return nil
}

// migrate brings the journal to the newest schema. Of an older one a copy is kept first.
func (j *Journal) migrate() error {
	var have int
	if err := j.db.QueryRow("PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	if have == len(migrations) {
		return nil
	}
	if 0 < have && have < len(migrations) {
		if err := j.keepCopy(have); err != nil {
			return fmt.Errorf("no copy of it could be kept before it is brought up to date: %w", err)
		}
	}
	tx, err := j.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	// Another program may have been faster.
	if err := tx.QueryRow("PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	if have > len(migrations) {
		return workbook.Errorf("update the workbook, or set KATA_JOURNAL to another file",
			"it was written by a newer kata (schema %d, this one knows %d)", have, len(migrations))
	}
	for ; have < len(migrations); have++ {
		if err := migrations[have](j, tx); err != nil {
			return fmt.Errorf("schema %d to %d: %w", have, have+1, err)
		}
	}
	if _, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", have)); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	// What was in that file is in the journal now. If it stays, nobody reads it again.
	_ = os.Rename(j.hintsFile(), j.hintsFile()+".schema1")
	return nil
}

// keepCopy writes the journal, as it is, to a file beside it: journal.db.schema1. One that is there from an earlier attempt is replaced.
func (j *Journal) keepCopy(have int) error {
	path := fmt.Sprintf("%s.schema%d", j.Path, have)
	if err := os.Remove(path + ".part"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := j.db.Exec("VACUUM INTO ?", path+".part"); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}
