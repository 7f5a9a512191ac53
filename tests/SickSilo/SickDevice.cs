using System.Diagnostics;
using Detection.Inference.Devices;
using Detection.Inference.Models;

namespace Detection.SickSilo;

/// <summary>A device that is out of memory for a few seconds, and then well for a while, again and again.</summary>
internal sealed class SickDevice(IInferenceDevice well) : IInferenceDevice
{
    private static readonly TimeSpan Cycle = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Sickness = TimeSpan.FromSeconds(6);

    private readonly Stopwatch _clock = Stopwatch.StartNew();

    /// <inheritdoc/>
    public string Name => well.Name;

    /// <inheritdoc/>
    public string HardwareId => well.HardwareId;

    /// <inheritdoc/>
    public string Description => well.Description;

    // Well at the beginning of each cycle, so that the silo starts.
    private bool IsSick => _clock.Elapsed.TotalSeconds % Cycle.TotalSeconds > (Cycle - Sickness).TotalSeconds;

    /// <inheritdoc/>
    public async Task<IModelSession> LoadAsync(ModelSource model, CancellationToken cancellationToken) =>
        new SickSession(this, await well.LoadAsync(model, cancellationToken));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => well.DisposeAsync();

    private sealed class SickSession(SickDevice device, IModelSession well) : IModelSession
    {
        public int Concurrency => well.Concurrency;

        public int BatchLimit => well.BatchLimit;

        public Task DetectAsync(IReadOnlyList<PictureWork> batch, Action<int, PictureOutcome> completed, CancellationToken cancellationToken)
        {
            if (!device.IsSick)
            {
                return well.DetectAsync(batch, completed, cancellationToken);
            }

            for (var i = 0; i < batch.Count; i++)
            {
                completed(i, new PictureOutcome(
                    OutcomeKind.Failed, 0, 0, [], new InvalidOperationException("Failed to allocate memory for requested buffer of size 1048576"), default, default, default, default));
            }

            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => well.DisposeAsync();
    }
}
