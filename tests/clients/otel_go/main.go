// OpenTelemetry SDK for Go: one trace by `otel_go http|grpc`. Prints what it exported.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

type seen struct {
	TraceID    string  `json:"trace_id"`
	SpanID     string  `json:"span_id"`
	Parent     *string `json:"parent_span_id"`
	Name       string  `json:"name"`
	Start      string  `json:"start_unix_nano"`
	End        string  `json:"end_unix_nano"`
	Status     string  `json:"status"`
	Attributes int     `json:"attributes"`
	Events     int     `json:"events"`
	Links      int     `json:"links"`
}

func tell(spans tracetest.SpanStubs) {
	out := []seen{}
	for _, s := range spans {
		one := seen{
			TraceID: s.SpanContext.TraceID().String(), SpanID: s.SpanContext.SpanID().String(), Name: s.Name,
			Start: strconv.FormatInt(s.StartTime.UnixNano(), 10), End: strconv.FormatInt(s.EndTime.UnixNano(), 10),
			Status: strings.ToLower(s.Status.Code.String()), Attributes: len(s.Attributes),
			Events: len(s.Events), Links: len(s.Links),
		}
		if s.Parent.HasSpanID() {
			parent := s.Parent.SpanID().String()
			one.Parent = &parent
		}
		out = append(out, one)
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		log.Fatal(err)
	}
}

func main() {
	ctx := context.Background()
	var exporter *otlptrace.Exporter
	var err error
	if os.Args[1] == "grpc" {
		exporter, err = otlptracegrpc.New(ctx)
	} else {
		exporter, err = otlptracehttp.New(ctx, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	}
	if err != nil {
		log.Fatal(err)
	}
	memory := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter), sdktrace.WithSyncer(memory),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "client-go"))))
	tracer := provider.Tracer("clients", trace.WithInstrumentationVersion("1.0"))
	inner, root := tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer))
	root.SetAttributes(attribute.String("text", "Größe 好"), attribute.Int64("int", 1<<40),
		attribute.Float64("double", 0.1), attribute.StringSlice("list", []string{"a", "b"}))
	root.AddEvent("started")
	for i := 0; i < 20; i++ {
		options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient)}
		if i == 3 {
			options = append(options, trace.WithLinks(trace.Link{SpanContext: root.SpanContext()}))
		}
		_, step := tracer.Start(inner, fmt.Sprintf("step %d", i), options...)
		step.SetAttributes(attribute.Int("i", i))
		if i == 7 {
			step.RecordError(errors.New("seven"))
			step.SetStatus(codes.Error, "seven")
		}
		step.End()
	}
	root.End()
	if err := provider.ForceFlush(ctx); err != nil {
		log.Fatal(err)
	}
	tell(memory.GetSpans())
	if err := provider.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}
