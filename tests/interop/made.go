package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"filippo.io/torchwood"
	tlogproof "github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A log to make: its entries are random from Seed, but for those that are given.
type recipe struct {
	Dir         string
	Origin      string
	Witnesses   []string
	Seed        uint64
	Sizes       []int64 // at each a checkpoint is signed, cosigned and published; the last is the whole log
	Given       map[int64][]byte
	Inclusion   [][2]int64 // index, size
	Consistency [][2]int64 // old size, new size
	Subtrees    [][3]int64 // level, index, size
	Extra       []byte     // of every proof that is written to a file
	InFiles     []int64    // indices to prove in files, <index>.tlog-proof
}

type made struct {
	Log         string        `json:"log"`
	Witnesses   []string      `json:"witnesses"`
	Checkpoints [][]byte      `json:"checkpoints"`
	Digest      []byte        `json:"digest"`
	Proofs      [3][][][]byte `json:"proofs"` // inclusion, consistency, subtrees: each a list of lists of hashes
	Subtrees    [][]byte      `json:"subtrees"`
}

// grown is a log in memory: what tlog calls its stored hashes, and the entries.
type grown struct {
	entries [][]byte
	stored  []tlog.Hash
}

func (g *grown) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	read := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		read[i] = g.stored[index]
	}
	return read, nil
}

func (g *grown) append(entry []byte) error {
	more, err := tlog.StoredHashes(int64(len(g.entries)), entry, g)
	g.entries, g.stored = append(g.entries, entry), append(g.stored, more...)
	return err
}

func makeLog(q recipe) (made, error) {
	a, digest := made{}, sha256.New()
	key := keyFrom(q.Origin)
	vkey, err := note.NewEd25519VerifierKey(q.Origin, key.Public().(ed25519.PublicKey))
	if err != nil {
		return a, err
	}
	a.Log = vkey
	signers, err := a.signers(q, key)
	if err != nil {
		return a, err
	}
	g, random := &grown{}, rand.New(rand.NewPCG(q.Seed, 0))
	size := int64(0)
	for _, next := range q.Sizes {
		for i := int64(len(g.entries)); i < next; i++ {
			entry, given := q.Given[i]
			if !given {
				entry = randomEntry(random)
			}
			fmt.Fprintf(digest, "%s%s", lengthOf(entry), entry)
			if err := g.append(entry); err != nil {
				return a, err
			}
		}
		signed, err := publish(q, g, size, next, signers)
		if err != nil {
			return a, err
		}
		a.Checkpoints, size = append(a.Checkpoints, signed), next
	}
	a.Digest = digest.Sum(nil)
	if err := a.prove(q, g); err != nil {
		return a, err
	}
	return a, a.proveInFiles(q, g)
}

// keyFrom makes the same key of the same name every time.
func keyFrom(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("interop " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func randomEntry(random *rand.Rand) []byte {
	entry := make([]byte, random.IntN(300))
	for i := range entry {
		entry[i] = byte(random.Uint32())
	}
	return entry
}

func lengthOf(entry []byte) []byte {
	return []byte{0, 0, byte(len(entry) >> 8), byte(len(entry))}
}

func (a *made) signers(q recipe, key ed25519.PrivateKey) ([]note.Signer, error) {
	encoded := base64.StdEncoding.EncodeToString(append([]byte{1}, key.Seed()...))
	v, err := note.NewVerifier(a.Log)
	if err != nil {
		return nil, err
	}
	own, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", q.Origin, v.KeyHash(), encoded))
	if err != nil {
		return nil, err
	}
	signers := []note.Signer{own}
	for _, name := range q.Witnesses {
		s, err := torchwood.NewCosignatureSigner(name, keyFrom(name))
		if err != nil {
			return nil, err
		}
		a.Witnesses = append(a.Witnesses, s.Verifier().String())
		signers = append(signers, s)
	}
	return signers, nil
}

// publish writes the tiles and bundles that growing from old to size adds, then the checkpoint.
func publish(q recipe, g *grown, old, size int64, signers []note.Signer) ([]byte, error) {
	for _, tile := range tlog.NewTiles(torchwood.TileHeight, old, size) {
		data, err := tlog.ReadTileData(tile, g)
		if err != nil {
			return nil, err
		}
		if err := put(q.Dir, torchwood.TilePath(tile), data); err != nil {
			return nil, err
		}
		if tile.L != 0 {
			continue
		}
		var bundle []byte
		first := tile.N * torchwood.TileWidth
		for _, entry := range g.entries[first : first+int64(tile.W)] {
			if bundle, err = torchwood.AppendTileEntry(bundle, entry); err != nil {
				return nil, err
			}
		}
		tile.L = -1
		if err := put(q.Dir, torchwood.TilePath(tile), bundle); err != nil {
			return nil, err
		}
	}
	root, err := tlog.TreeHash(size, g)
	if err != nil {
		return nil, err
	}
	text := torchwood.Checkpoint{Origin: q.Origin, Tree: tlog.Tree{N: size, Hash: root}}.String()
	signed, err := note.Sign(&note.Note{Text: text}, signers...)
	if err != nil {
		return nil, err
	}
	return signed, put(q.Dir, "checkpoint", signed)
}

func put(dir, path string, data []byte) error {
	path = filepath.Join(dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

func (a *made) prove(q recipe, g *grown) error {
	for _, pair := range q.Inclusion {
		path, err := tlog.ProveRecord(pair[1], pair[0], g)
		if err != nil {
			return err
		}
		a.Proofs[0] = append(a.Proofs[0], raw(path))
	}
	for _, pair := range q.Consistency {
		path, err := tlog.ProveTree(pair[1], pair[0], g)
		if err != nil {
			return err
		}
		a.Proofs[1] = append(a.Proofs[1], raw(path))
	}
	for _, one := range q.Subtrees {
		at := tlog.StoredHashIndex(int(one[0]), one[1])
		path, err := torchwood.ProveHash(one[2], at, g)
		if err != nil {
			return err
		}
		a.Proofs[2] = append(a.Proofs[2], raw(path))
		a.Subtrees = append(a.Subtrees, g.stored[at][:])
	}
	return nil
}

func raw(path []tlog.Hash) [][]byte {
	all := make([][]byte, len(path))
	for i := range path {
		all[i] = path[i][:]
	}
	return all
}

func (a *made) proveInFiles(q recipe, g *grown) error {
	size := q.Sizes[len(q.Sizes)-1]
	for _, index := range q.InFiles {
		path, err := tlog.ProveRecord(size, index, g)
		if err != nil {
			return err
		}
		file := tlogproof.TLogProof{
			Index: uint64(index), Checkpoint: a.Checkpoints[len(a.Checkpoints)-1], ExtraData: q.Extra,
		}
		for _, hash := range path {
			file.Hashes = append(file.Hashes, hash)
		}
		if err := put(q.Dir, fmt.Sprintf("%d.tlog-proof", index), file.Marshal()); err != nil {
			return err
		}
	}
	return nil
}
