// The Go client as a peer of the interop tests: tests/support/peers/process.py describes the requests
// and replies.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const patience = 30 * time.Second

type request struct {
	ID   int    `json:"id"`
	Op   string `json:"op"`
	Args args   `json:"args"`
}

type args struct {
	URL          string      `json:"url"`
	Bucket       string      `json:"bucket"`
	Name         string      `json:"name"`
	Data         []byte      `json:"data"`
	Description  string      `json:"description"`
	Headers      nats.Header `json:"headers"`
	ChunkSize    uint32      `json:"chunk_size"`
	Target       string      `json:"target"`
	TargetBucket string      `json:"target_bucket"`
	NewName      string      `json:"new_name"`
}

type reply struct {
	ID    int         `json:"id"`
	Value interface{} `json:"value"`
}

type failure struct {
	ID    int    `json:"id"`
	Error string `json:"error"`
}

type info struct {
	Name        string      `json:"name"`
	Bucket      string      `json:"bucket"`
	NUID        string      `json:"nuid"`
	Size        uint64      `json:"size"`
	Chunks      uint32      `json:"chunks"`
	Digest      string      `json:"digest"`
	Deleted     bool        `json:"deleted"`
	Description string      `json:"description"`
	Headers     nats.Header `json:"headers"`
	Link        []string    `json:"link"`
	ChunkSize   uint32      `json:"chunk_size"`
}

func seen(object *nats.ObjectInfo) info {
	found := info{
		Name:        object.Name,
		Bucket:      object.Bucket,
		NUID:        object.NUID,
		Size:        object.Size,
		Chunks:      object.Chunks,
		Digest:      object.Digest,
		Deleted:     object.Deleted,
		Description: object.Description,
		Headers:     object.Headers,
	}
	if object.Opts != nil {
		found.ChunkSize = object.Opts.ChunkSize
		if link := object.Opts.Link; link != nil {
			found.Link = []string{link.Bucket, link.Name}
		}
	}
	return found
}

var (
	connection *nats.Conn
	js         nats.JetStreamContext
	watcher    nats.ObjectWatcher
	stopped    chan struct{}
)

func open(url string) (err error) {
	if connection, err = nats.Connect(url); err != nil {
		return err
	}
	js, err = connection.JetStream(nats.MaxWait(patience))
	return err
}

// operations on a bucket
var operations = map[string]func(nats.ObjectStore, args) (interface{}, error){
	"put": func(store nats.ObjectStore, a args) (interface{}, error) {
		meta := &nats.ObjectMeta{Name: a.Name, Description: a.Description, Headers: a.Headers}
		meta.Opts = &nats.ObjectMetaOptions{ChunkSize: a.ChunkSize}
		_, err := store.Put(meta, bytes.NewReader(a.Data))
		return nil, err
	},
	"get": func(store nats.ObjectStore, a args) (interface{}, error) {
		// Without a context, `Read` fails if the server is silent for two seconds.
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		data, err := store.GetBytes(a.Name, nats.Context(ctx))
		return missing(data, err)
	},
	"info": func(store nats.ObjectStore, a args) (interface{}, error) {
		object, err := store.GetInfo(a.Name, nats.GetObjectInfoShowDeleted())
		if err != nil {
			return missing(nil, err)
		}
		return seen(object), nil
	},
	"list": func(store nats.ObjectStore, a args) (interface{}, error) {
		objects, err := store.List()
		if err != nil && !errors.Is(err, nats.ErrNoObjectsFound) {
			return nil, err
		}
		found := make([]info, len(objects))
		for i, object := range objects {
			found[i] = seen(object)
		}
		return found, nil
	},
	"delete": func(store nats.ObjectStore, a args) (interface{}, error) {
		return nil, store.Delete(a.Name)
	},
	"link": func(store nats.ObjectStore, a args) (interface{}, error) {
		other, err := js.ObjectStore(a.TargetBucket)
		if err != nil {
			return nil, err
		}
		target, err := other.GetInfo(a.Target)
		if err != nil {
			return nil, err
		}
		_, err = store.AddLink(a.Name, target)
		return nil, err
	},
	"link_bucket": func(store nats.ObjectStore, a args) (interface{}, error) {
		other, err := js.ObjectStore(a.TargetBucket)
		if err != nil {
			return nil, err
		}
		_, err = store.AddBucketLink(a.Name, other)
		return nil, err
	},
	"describe": func(store nats.ObjectStore, a args) (interface{}, error) {
		object, err := store.GetInfo(a.Name)
		if err != nil {
			return nil, err
		}
		object.Description = a.Description
		return nil, store.UpdateMeta(a.Name, &object.ObjectMeta)
	},
	"rename": func(store nats.ObjectStore, a args) (interface{}, error) {
		object, err := store.GetInfo(a.Name)
		if err != nil {
			return nil, err
		}
		object.Name = a.NewName
		return nil, store.UpdateMeta(a.Name, &object.ObjectMeta)
	},
	"seal": func(store nats.ObjectStore, a args) (interface{}, error) {
		return nil, store.Seal()
	},
	"watch": func(store nats.ObjectStore, a args) (_ interface{}, err error) {
		if watcher, err = store.Watch(); err != nil {
			return nil, err
		}
		stopped = make(chan struct{})
		// It starts with the objects of the bucket, followed by nil.
		for object := range watcher.Updates() {
			if object == nil {
				break
			}
		}
		return nil, nil
	},
}

func missing(value interface{}, err error) (interface{}, error) {
	if errors.Is(err, nats.ErrObjectNotFound) {
		return nil, nil
	}
	return value, err
}

func run(op string, a args) (interface{}, error) {
	switch op {
	case "open":
		return nil, open(a.URL)
	case "close":
		connection.Close()
		return nil, nil
	case "create":
		_, err := js.CreateObjectStore(&nats.ObjectStoreConfig{Bucket: a.Bucket})
		return nil, err
	case "next":
		select {
		case object := <-watcher.Updates():
			return seen(object), nil
		case <-stopped:
			return nil, nil
		}
	case "unwatch":
		close(stopped)
		return nil, watcher.Stop()
	}
	operation, ok := operations[op]
	if !ok {
		return nil, fmt.Errorf("there is no operation %q", op)
	}
	store, err := js.ObjectStore(a.Bucket)
	if err != nil {
		return nil, err
	}
	return operation(store, a)
}

func main() {
	var output sync.Mutex
	answer := func(r request) {
		value, err := run(r.Op, r.Args)
		output.Lock()
		defer output.Unlock()
		encoder := json.NewEncoder(os.Stdout)
		if err != nil {
			encoder.Encode(failure{r.ID, err.Error()})
		} else {
			encoder.Encode(reply{r.ID, value})
		}
	}
	input := bufio.NewReader(os.Stdin)
	for {
		line, err := input.ReadBytes('\n')
		if err != nil {
			return // the tests have ended
		}
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			panic(err)
		}
		go answer(r)
	}
}
