using System.Collections.Concurrent;
using Detection.Inference.Devices;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;

namespace Detection.Grains.Tests.Batching;

/// <summary>
/// A device whose batches end when the test releases them, and that is sick when the test sets it so. A real device cannot be controlled like this.
/// </summary>
internal sealed class GatedDevice(string name) : IInferenceDevice
{
    private const int MostBatches = 10_000;

    private readonly SemaphoreSlim _gate = new(0);
    private int _failures;
    private int _loads;
    private int _probes;
    private int _sessions;

    public string Name => name;

    public string HardwareId => name;

    public string Description => "gated";

    /// <summary>Sizes of the batches that it received, in order. The test picture does not count.</summary>
    public ConcurrentQueue<int> Batches { get; } = [];

    /// <summary>How many more batches fail with an exception that is not a picture's fault. The test picture succeeds.</summary>
    public int Failures
    {
        get => Volatile.Read(ref _failures);
        set => Volatile.Write(ref _failures, value);
    }

    /// <summary>The exception of <see cref="Failures"/>.</summary>
    public volatile Exception Failure = new InvalidOperationException("The device is broken.");

    /// <summary>Exceptions of the next attempts to reload the model.</summary>
    public ConcurrentQueue<Exception> FailingLoads { get; } = [];

    /// <summary>Sessions that were created and not freed.</summary>
    public int Sessions => Volatile.Read(ref _sessions);

    /// <summary>While set, every run fails with this exception, including those of the test picture.</summary>
    public volatile Exception? Sickness;

    /// <summary>While set, no run finds any object.</summary>
    public volatile bool IsBlind;

    /// <summary>While set, the test picture is not answered.</summary>
    public volatile bool IsSilent;

    /// <summary>While set, no picture reaches the device, not even the test picture: others are being decoded, or use the memory for it.</summary>
    public volatile TaskCompletionSource? Decoding;

    /// <summary>Whether reloading the model heals the device.</summary>
    public volatile bool HealsByLoading;

    /// <summary>Complete it to make a run on the device one that cannot be ended.</summary>
    public TaskCompletionSource Unending { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>How often the model was loaded.</summary>
    public int Loads => Volatile.Read(ref _loads);

    /// <summary>Number of test pictures that it received.</summary>
    public int Probes => Volatile.Read(ref _probes);

    /// <summary>Lets all current and later batches end.</summary>
    public void Open() => _gate.Release(MostBatches);

    /// <summary>Lets one batch end.</summary>
    public void LetOneEnd() => _gate.Release();

    public Task<IModelSession> LoadAsync(ModelSource model, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _loads) > 1)
        {
            if (FailingLoads.TryDequeue(out var error))
            {
                return Task.FromException<IModelSession>(error);
            }

            if (HealsByLoading)
            {
                Sickness = null;
                IsBlind = false;
            }
        }

        Interlocked.Increment(ref _sessions);
        return Task.FromResult<IModelSession>(new Session(this));
    }

    public ValueTask DisposeAsync()
    {
        Open();
        return ValueTask.CompletedTask;
    }

    private sealed class Session(GatedDevice device) : IModelSession
    {
        public int Concurrency => 1;

        public Task Unending => device.Unending.Task;

        public async Task DetectAsync(
            IReadOnlyList<PictureWork> batch, Action<int, PictureOutcome> completed, CancellationToken cancellationToken)
        {
            var decoding = device.Decoding;
            if (batch[0].Floor is not null)
            {
                Interlocked.Increment(ref device._probes);
                await DecodeAsync(batch, decoding, cancellationToken);
                await Task.Delay(device.IsSilent ? Timeout.InfiniteTimeSpan : TimeSpan.Zero, cancellationToken);
            }
            else
            {
                device.Batches.Enqueue(batch.Count);
                await DecodeAsync(batch, decoding, CancellationToken.None);

                // Like a device that hangs, it does not react to cancellation.
                await device._gate.WaitAsync(CancellationToken.None);
                if (device.Failures > 0)
                {
                    device.Failures--;
                    throw device.Failure;
                }
            }

            for (var i = 0; i < batch.Count; i++)
            {
                completed(i, device.Sickness is { } sickness
                    ? new PictureOutcome(OutcomeKind.Failed, 0, 0, [], sickness, default, default, default, default)
                    : batch[i].IsGenuine?.Invoke(batch[i].Encoded) == false
                    ? new PictureOutcome(OutcomeKind.Failed, 0, 0, [], new WrongPictureException(), default, default, default, default)
                    : batch[i].Deadline <= DateTimeOffset.UtcNow ? new PictureOutcome(OutcomeKind.Expired, 0, 0, [], null, default, default, default, default)
                    : new PictureOutcome(
                        OutcomeKind.Detected, 640, 480, device.IsBlind ? [] : [new(0, 0.9f, 1, 2, 30, 40)], null, default, default, default, default));
            }
        }

        private static async Task DecodeAsync(IReadOnlyList<PictureWork> batch, TaskCompletionSource? decoding, CancellationToken cancellationToken)
        {
            if (decoding is not null)
            {
                await decoding.Task.WaitAsync(cancellationToken);
            }

            foreach (var work in batch)
            {
                work.Decoded?.Invoke();
            }
        }

        public ValueTask DisposeAsync()
        {
            Interlocked.Decrement(ref device._sessions);
            return ValueTask.CompletedTask;
        }
    }
}
