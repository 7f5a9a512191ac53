using Detection.Inference.Devices;
using Detection.Inference.Manifest;

namespace Detection.SickSilo;

/// <summary>A device that works unless it has a fault.</summary>
/// <param name="well">The device that runs the models.</param>
/// <param name="course">The current fault.</param>
internal sealed class SickDevice(IInferenceDevice well, Course course) : IInferenceDevice
{
    public string Name => well.Name;

    public string HardwareId => well.HardwareId;

    public string Description => well.Description;

    public async Task<IModelSession> LoadAsync(ModelSource model, CancellationToken cancellationToken) =>
        new SickSession(await well.LoadAsync(model, cancellationToken), course);

    public ValueTask DisposeAsync() => well.DisposeAsync();

    private sealed class SickSession(IModelSession well, Course course) : IModelSession
    {
        public int Concurrency => well.Concurrency;

        public int BatchLimit => well.BatchLimit;

        public bool RunsSingly => well.RunsSingly;

        public Task DetectAsync(IReadOnlyList<PictureWork> batch, Action<int, PictureOutcome> completed, CancellationToken cancellationToken) => course.Now switch
        {
            Sickness.OutOfMemory => Fail(batch, completed, "Failed to allocate memory for requested buffer of size 1048576"),
            Sickness.CudaError => Fail(batch, completed, "CUDA failure 700: an illegal memory access was encountered ; GPU=0"),
            Sickness.Blind => well.DetectAsync(batch, (i, outcome) => completed(i, outcome with { Boxes = [] }), cancellationToken),
            _ => well.DetectAsync(batch, completed, cancellationToken),
        };

        public ValueTask DisposeAsync() => well.DisposeAsync();

        private static Task Fail(IReadOnlyList<PictureWork> batch, Action<int, PictureOutcome> completed, string error)
        {
            for (var i = 0; i < batch.Count; i++)
            {
                completed(i, new PictureOutcome(OutcomeKind.Failed, 0, 0, [], new InvalidOperationException(error), default, default, default, default));
            }

            return Task.CompletedTask;
        }
    }
}
