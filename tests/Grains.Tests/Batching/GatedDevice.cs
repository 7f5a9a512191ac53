using System.Collections.Concurrent;
using Detection.Inference.Devices;
using Detection.Inference.Models;

namespace Detection.Grains.Tests.Batching;

/// <summary>A device whose batches end when the test says so: no real one hangs on demand.</summary>
internal sealed class GatedDevice(string name) : IInferenceDevice
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Name => name;

    public string HardwareId => name;

    public string Description => "gated";

    /// <summary>Sizes of the batches that were given to it, in their order.</summary>
    public ConcurrentQueue<int> Batches { get; } = [];

    /// <summary>How many batches more break off with an exception that is no picture's.</summary>
    public int Failures { get; set; }

    /// <summary>Lets all batches end, those to come too.</summary>
    public void Open() => _opened.TrySetResult();

    public Task<IModelSession> LoadAsync(ModelSource model, CancellationToken cancellationToken) =>
        Task.FromResult<IModelSession>(new Session(this));

    public ValueTask DisposeAsync()
    {
        Open();
        return ValueTask.CompletedTask;
    }

    private sealed class Session(GatedDevice device) : IModelSession
    {
        public int Concurrency => 1;

        public async Task DetectAsync(
            IReadOnlyList<PictureWork> batch, Action<int, PictureOutcome> completed, CancellationToken cancellationToken)
        {
            device.Batches.Enqueue(batch.Count);

            // Like a device that hangs, it does not hear that it should stop.
            await device._opened.Task;
            if (device.Failures > 0)
            {
                device.Failures--;
                throw new InvalidOperationException("The device is broken.");
            }

            for (var i = 0; i < batch.Count; i++)
            {
                completed(i, batch[i].Deadline > DateTimeOffset.UtcNow
                    ? new PictureOutcome(OutcomeKind.Detected, 640, 480, [new(0, 0.9f, 1, 2, 30, 40)], null, default, default, default, default)
                    : new PictureOutcome(OutcomeKind.Expired, 0, 0, [], null, default, default, default, default));
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
