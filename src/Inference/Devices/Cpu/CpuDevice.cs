using System.Diagnostics;
using Detection.Inference.Graphs;
using Detection.Inference.Loading;
using Detection.Inference.Manifest;
using Detection.Objects;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Devices.Cpu;

/// <summary>
/// The cores of the CPU. One worker per core processes a picture from its bytes to its boxes, with one run per picture. On a CPU this is faster than
/// batches, or runs that are split over cores, because no thread waits for another one.
/// </summary>
public sealed class CpuDevice : IInferenceDevice
{
    /// <summary>A model that takes longer to load gives its place to the next.</summary>
    private static readonly TimeSpan LoadPatience = TimeSpan.FromSeconds(5);

    private readonly DeviceOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly PictureWorkers _workers;
    private readonly ModelLoads _loads;
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Starts the workers.</summary>
    public CpuDevice(DeviceOptions options, TimeProvider time, ILogger<CpuDevice> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _time = time;
        _logger = logger;
        _workers = new PictureWorkers(options.CpuWorkers, Name);
        _loads = new ModelLoads(LoadPatience, time);
    }

    /// <inheritdoc/>
    public string Name => "cpu";

    /// <inheritdoc/>
    public string HardwareId => Name;

    /// <inheritdoc/>
    public string Description => _workers.Count == 1 ? "CPU, 1 worker" : $"CPU, {_workers.Count} workers";

    /// <inheritdoc/>
    public async Task<IModelSession> LoadAsync(ModelSource model, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(model);
        var bounds = new RunBounds(_options.RunTimeout, model.Name, Name, _logger, _stopping.Token);
        return await _loads.RunAsync(
            new ModelLoad(model.Name, _options.LoadTimeout) { Unending = bounds.Unending },
            isFirst: false,
            () => $"{model.Name}@{model.Version}",
            () => Load(model, bounds),
            static late => _ = late.DisposeAsync().AsTask(),
            cancellationToken);
    }

    /// <summary>Ends running runs and stops the workers. Dispose the sessions first.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.Run(_workers.Dispose);
    }

    /// <summary>Options of a session that uses no threads of its own. Its errors are reported as exceptions and logged by the caller.</summary>
    internal static SessionOptions CreateSessionOptions()
    {
        var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        return options;
    }

    private Session Load(ModelSource model, RunBounds bounds)
    {
        long start = Stopwatch.GetTimestamp();
        Session session;
        try
        {
            session = new Session(ModelGraph.Read(model, bounds), _workers, _options, bounds, _time);
        }
#pragma warning disable CA1031 // A file may make the runtime or a library throw any exception; it becomes a problem of that model.
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw ModelFault.Of($"Model {model.Name} cannot be run", e);
        }
        finally
        {
            FreedMemory.TrimHeap();
        }

        DeviceLog.Loaded(_logger, model.Name, model.Version, Name, Stopwatch.GetElapsedTime(start).TotalSeconds);
        return session;
    }

    /// <summary>A model on the CPU.</summary>
    private sealed class Session : IModelSession
    {
        private readonly PictureWorkers.Lane _lane;
        private readonly PictureStages _stages;
        private readonly InferenceSession _session;
        private readonly WorkerState[] _workerStates;
        private readonly RunBounds _bounds;
        private readonly CallGate _calls = new();

        public Session(ModelGraph graph, PictureWorkers workers, DeviceOptions options, RunBounds bounds, TimeProvider time)
        {
            _bounds = bounds;
            _lane = workers.CreateLane();
            _stages = new PictureStages(graph, options.Limits, options.Memory, time);
            int batch = Math.Max(graph.FixedBatch, 1);
            using var settings = CreateSessionOptions();
            _session = graph.Open(settings, batch);
            _workerStates = new WorkerState[workers.Count];
            try
            {
                for (int i = 0; i < _workerStates.Length; i++)
                {
                    _workerStates[i] = new WorkerState(_session, graph, batch, bounds);
                }

                _workerStates[0].Run.WarmUp();
            }
            catch
            {
                Free();
                throw;
            }
        }

        public int Concurrency => 2;

        // One picture in progress and one waiting for each worker. With a second such batch no worker waits for the next batch.
        public int BatchLimit => 2 * _workerStates.Length;

        public bool RunsSingly => true;

        public Task Unending => _bounds.Unending;

        public Task DetectAsync(
            IReadOnlyList<PictureWork> batch,
            Action<int, PictureOutcome> completed,
            CancellationToken cancellationToken) => _calls.RunAsync(this, batch, completed, Start, cancellationToken);

        public async ValueTask DisposeAsync()
        {
            await _calls.CloseAsync();
            Free();
            FreedMemory.TrimHeap();
        }

        private void Free()
        {
            foreach (var state in _workerStates)
            {
                state?.Dispose();
            }

            _session.Dispose();
        }

        private ValueTask Start(RunningBatch batch)
        {
            _lane.Post(new Jobs(this, batch), batch.Pictures.Count);
            return ValueTask.CompletedTask;
        }

        private void Detect(RunningBatch batch, int index, WorkerState state)
        {
            if (_stages.IsOver(batch, index))
            {
                return;
            }

            PictureOutcome outcome;
            var progress = default(PictureProgress);
            try
            {
                var work = batch.Pictures[index];
                using (var picture = _stages.Decode(batch, index, ref progress))
                {
                    _stages.Preprocess(picture, state.Run.InputRow(0), ref progress);
                }

                work.Decoded?.Invoke();
                long start = Stopwatch.GetTimestamp();
                state.Run.Run(_bounds.Until(_stages.Left(work)));
                progress.Inference = Stopwatch.GetElapsedTime(start);
                outcome = _stages.Read(work, state.Run.OutputRow(0), state.Boxes, progress);
            }
#pragma warning disable CA1031 // An error of one picture is its outcome; the worker continues with the next.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (e is RunTimeoutException)
                {
                    _lane.Restrain();
                }

                // It waited too long for memory, or its run took too long.
                if (e is TimeoutException or OperationCanceledException or RunTimeoutException && _stages.IsOver(batch, index))
                {
                    return;
                }

                outcome = progress.Failed(e);
            }

            batch.Complete(index, outcome);
        }

        private sealed class Jobs(Session session, RunningBatch batch) : IPictureJobs
        {
            public void Run(int index, int worker) => session.Detect(batch, index, session._workerStates[worker]);
        }
    }

    /// <summary>The memory that one worker needs for one model, allocated once.</summary>
    private sealed class WorkerState : IDisposable
    {
        private readonly TensorSet _tensors;

        public WorkerState(InferenceSession session, ModelGraph graph, int batch, RunBounds bounds)
        {
            _tensors = new TensorSet(OrtAllocator.DefaultInstance, graph, session, batch);
            try
            {
                Run = _tensors.Bind(session, batch, copiesInput: false, bounds);
            }
            catch
            {
                _tensors.Dispose();
                throw;
            }
        }

        public BoundRun Run { get; }

        public List<DetectedObject> Boxes { get; } = [];

        public void Dispose()
        {
            Run.Dispose();
            _tensors.Dispose();
        }
    }
}
