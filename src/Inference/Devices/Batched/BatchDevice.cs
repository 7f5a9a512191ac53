using System.Diagnostics;
using Detection.Inference.Graphs;
using Detection.Inference.Loading;
using Detection.Inference.Manifest;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Devices.Batched;

/// <summary>A device that needs many pictures in one run: a GPU. While its thread runs one batch, CPU workers decode the next.</summary>
internal sealed class BatchDevice : IInferenceDevice
{
    private static readonly int[] Sizes = [1, 4, 8, 16, 32, 64, 128];

    /// <summary>TensorRT takes minutes to build an engine, once for each batch size.</summary>
    private const int TensorRtFactor = 12;

    /// <summary>
    /// Sessions are opened one after another in the whole process (onnxruntime #26610): a load keeps its place for as long as loads usually take.
    /// </summary>
    private static readonly ModelLoads Loads = new(TimeSpan.FromMinutes(5), TimeProvider.System);

    private readonly ExecutionProvider _provider;
    private readonly DeviceOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly PictureWorkers _workers;
    private readonly DeviceThread _thread;
    private readonly CancellationTokenSource _stopping = new();

    public BatchDevice(
        string name,
        string hardwareId,
        string description,
        ExecutionProvider provider,
        DeviceOptions options,
        TimeProvider time,
        ILogger logger)
    {
        Name = name;
        HardwareId = hardwareId;
        Description = description;
        _provider = provider;
        _options = options;
        _time = time;
        _logger = logger;
        _workers = new PictureWorkers(options.CpuWorkers, name);
        _thread = new DeviceThread(name);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string HardwareId { get; }

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public async Task<IModelSession> LoadAsync(ModelSource model, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(model);
        var bounds = new RunBounds(_options.RunTimeout, model.Name, Name, _logger, _stopping.Token);
        var trial = new RunBounds(GraphTrial.MaxRun, model.Name, "cpu", _logger, _stopping.Token);
        return await Loads.RunAsync(
            new ModelLoad(model.Name, (_options.Cuda.TensorRt ? TensorRtFactor : 1) * _options.LoadTimeout)
            {
                Unending = Task.WhenAny(trial.Unending, bounds.Unending),
            },
            isFirst: false,
            () => $"{model.Name}@{model.Version} {Name}",
            () => Load(model, bounds, trial),
            static late => _ = late.DisposeAsync().AsTask(),
            cancellationToken);
    }

    /// <summary>Ends running runs and stops the threads. Dispose the sessions first.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.Run(() =>
        {
            _workers.Dispose();
            _thread.Dispose();
        });
    }

    /// <summary>Batch sizes with a separate session.</summary>
    /// <remarks>
    /// A convolution is planned for one shape, and planned again for each new shape, so one session with changing batch sizes would spend its time
    /// planning. Padding every batch to the largest size would let a single picture wait for 32. With a session per size each has its plan, and
    /// padding at most quadruples the work of a few pictures. The cost is a copy of the weights per size.
    /// </remarks>
    internal static int[] BatchSizes(ModelGraph graph, int most)
    {
        if (graph.FixedBatch > 0)
        {
            return [graph.FixedBatch];
        }

        return graph.TakesAnyBatch
            ? [.. Sizes.Where(size => size < most), most]
            : [1];
    }

    /// <summary>Blocks the thread of the load, which has nothing else to do.</summary>
    private IModelSession Load(ModelSource model, RunBounds bounds, RunBounds trial)
    {
        long start = Stopwatch.GetTimestamp();
        var session = OpenAsync(model, bounds, trial).GetAwaiter().GetResult();
        DeviceLog.Loaded(_logger, model.Name, model.Version, Name, Stopwatch.GetElapsedTime(start).TotalSeconds);
        return session;
    }

    private async Task<IModelSession> OpenAsync(ModelSource model, RunBounds bounds, RunBounds trial)
    {
        try
        {
            var graph = ModelGraph.Read(model, trial);
            int most = _options.Cuda.MaxBatch;
            try
            {
                return await OpenAsync(graph, most, bounds, trial);
            }
#pragma warning disable CA1031 // It is retried with single pictures, and an error of that is reported.
            catch (Exception e) when (most > 1 && graph.TakesAnyBatch)
#pragma warning restore CA1031
            {
                // Exporters also leave the batch dimension open in graphs that were traced for one picture.
                DeviceLog.SinglePictures(_logger, model.Name, Name, most, ModelFault.Reason(e));
                return await OpenAsync(graph, 1, bounds, trial);
            }
        }
#pragma warning disable CA1031 // A file may make the runtime or a library throw any exception; it becomes a problem of that model.
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw ModelFault.Of($"Model {model.Name} cannot be run on {Name}", e);
        }
        finally
        {
            FreedMemory.TrimHeap();
        }
    }

    private async Task<BatchSession> OpenAsync(ModelGraph graph, int most, RunBounds bounds, RunBounds trial)
    {
        var sessions = new List<(int Batch, InferenceSession Session)>();
        BatchSession? result = null;
        try
        {
            bool entirely = _provider.HasOwnMemory;
            foreach (int size in BatchSizes(graph, most))
            {
                sessions.Add((size, OpenSession(graph, size, ref entirely)));
            }

            var stages = new PictureStages(graph, _options.Limits, _options.Memory, _time);
            result = new BatchSession(graph, stages, sessions, _provider, _workers, _thread, bounds);
            await result.WarmUpAsync();
            if (_options.Cuda.Verify)
            {
                await DeviceCheck.CompareWithCpuAsync(graph, result, trial, _options.Cuda.VerifyTolerance, Name);
            }

            return result;
        }
        catch
        {
            if (result is not null)
            {
                await result.DisposeAsync();
            }
            else
            {
                sessions.ForEach(s => s.Session.Dispose());
            }

            throw;
        }
    }

    /// <summary>Opens a session, and logs once when the provider leaves parts of the graph to the CPU.</summary>
    private InferenceSession OpenSession(ModelGraph graph, int size, ref bool entirely)
    {
        if (entirely)
        {
            using var strict = _provider.CreateSessionOptions();
            strict.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1");
            try
            {
                return graph.Open(strict, size);
            }
            catch (ModelException)
            {
                // The reason may be another one; then the attempt below also fails, and reports it.
                entirely = false;
                DeviceLog.PartlyOnCpu(_logger, graph.Model.Name, Name);
            }
        }

        using var settings = _provider.CreateSessionOptions();
        return graph.Open(settings, size);
    }
}
