using System.Diagnostics;
using Detection.Inference.Devices;
using Detection.Tool.CommandLine;
using Detection.Tool.Models;

namespace Detection.Tool.Bench;

/// <summary>Throughput and durations of pictures in a model. Durations are means per picture in milliseconds.</summary>
internal sealed record Measurement(double PicturesPerSecond, double Decode, double Preprocess, double Inference, double Postprocess)
{
    /// <summary>Submits batches for some time, as many concurrently as the model's session needs.</summary>
    /// <exception cref="CommandException">A picture failed.</exception>
    public static async Task<Measurement> TakeAsync(
        LoadedModel model, byte[][] pictures, int batch, TimeSpan time, CancellationToken cancellationToken)
    {
        // One run first, so that buffers are rented and code is compiled before the measurement.
        await new Totals().RunAsync(model, pictures, batch, 0, cancellationToken);

        var totals = new Totals();
        var start = Stopwatch.GetTimestamp();
        var lanes = Enumerable.Range(0, model.Session.Concurrency).Select(async lane =>
        {
            for (var turn = lane; Stopwatch.GetElapsedTime(start) < time; turn += model.Session.Concurrency)
            {
                await totals.RunAsync(model, pictures, batch, turn, cancellationToken);
            }
        });
        await Task.WhenAll(lanes);
        return totals.Over(Stopwatch.GetElapsedTime(start));
    }

    /// <summary>Sums over pictures, added by several threads.</summary>
    private sealed class Totals
    {
        private readonly Lock _gate = new();
        private int _count;
        private TimeSpan _decode;
        private TimeSpan _preprocess;
        private TimeSpan _inference;
        private TimeSpan _postprocess;
        private Exception? _error;

        public async Task RunAsync(LoadedModel model, byte[][] pictures, int batch, int turn, CancellationToken cancellationToken)
        {
            var works = new PictureWork[batch];
            for (var i = 0; i < batch; i++)
            {
                works[i] = new PictureWork(pictures[((turn * batch) + i) % pictures.Length], null, DateTimeOffset.MaxValue);
            }

            await model.Session.DetectAsync(works, (_, outcome) => Add(outcome), cancellationToken);
            if (_error is not null)
            {
                throw new CommandException($"A picture failed: {_error.Message}");
            }
        }

        public Measurement Over(TimeSpan time) => new(
            _count / time.TotalSeconds,
            _decode.TotalMilliseconds / _count,
            _preprocess.TotalMilliseconds / _count,
            _inference.TotalMilliseconds / _count,
            _postprocess.TotalMilliseconds / _count);

        private void Add(PictureOutcome outcome)
        {
            lock (_gate)
            {
                _count++;
                _decode += outcome.Decode;
                _preprocess += outcome.Preprocess;
                _inference += outcome.Inference;
                _postprocess += outcome.Postprocess;
                _error ??= outcome.Error;
            }
        }
    }
}
