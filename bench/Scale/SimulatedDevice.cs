using Detection.Inference.Devices;
using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Objects;

namespace Detection.Bench.Scale;

/// <summary>
/// A device that takes the same time for every batch and uses no processor time, so that the cost of the cluster is left. As on a GPU,
/// one batch runs while the next waits.
/// </summary>
internal sealed class SimulatedDevice(string name, TimeSpan service) : IInferenceDevice
{
    public string Name => name;

    public string HardwareId => name;

    public string Description => $"simulated, {service.TotalMilliseconds:0.#} ms per batch";

    public Task<IModelSession> LoadAsync(ModelSource model, CancellationToken cancellationToken) =>
        Task.FromResult<IModelSession>(new Session(service));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Session(TimeSpan service) : IModelSession
    {
        private readonly Lock _gate = new();
        private DateTime _free = DateTime.UtcNow;

        public int Concurrency => 2;

        public async Task DetectAsync(
            IReadOnlyList<PictureWork> batch, Action<int, PictureOutcome> completed, CancellationToken cancellationToken)
        {
            DateTime end;
            lock (_gate)
            {
                // A batch begins when the one before it ends, so a late timer does not slow down the device.
                var now = DateTime.UtcNow;
                end = _free = (_free > now ? _free : now) + service;
            }

            if (end - DateTime.UtcNow is var wait && wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, cancellationToken);
            }

            for (var i = 0; i < batch.Count; i++)
            {
                DetectedObject[] boxes = [new(0, 0.9f, 1, 2, 30, 40), new(1, 0.8f, 5, 6, 70, 80)];
                completed(i, new PictureOutcome(
                    OutcomeKind.Detected, 640, 480, boxes, null, TimeSpan.Zero, TimeSpan.Zero, service, TimeSpan.Zero));
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
