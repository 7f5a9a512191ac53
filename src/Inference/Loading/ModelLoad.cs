using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Loading;

/// <summary>One load of a model: its start, its thread, and how to end it.</summary>
internal sealed class ModelLoad(string model, TimeSpan limit)
{
    /// <summary>The default limit.</summary>
    public static readonly TimeSpan DefaultLimit = TimeSpan.FromMinutes(5);

    private static readonly AsyncLocal<ModelLoad?> Running = new();

    private readonly Lock _gate = new();
    private readonly List<SessionOptions> _opening = [];
    private LoadThread? _thread;
    private bool _isCancelled;

    /// <summary>The load that the current code belongs to; <see langword="null"/> outside of a load.</summary>
    public static ModelLoad? Current => Running.Value;

    /// <summary>Name of the model.</summary>
    public string Model => model;

    /// <summary>Its time limit.</summary>
    public TimeSpan Limit => limit;

    /// <summary>Completed when one of its runs continued although it was ended: the load is not awaited any more.</summary>
    public Task Unending { get; init; } = new TaskCompletionSource().Task;

    /// <summary>Hash of the loaded content; <see langword="null"/> before it has been read.</summary>
    public string? Content { get; set; }

    /// <summary>Its start; <see langword="null"/> while it waits for other loads.</summary>
    public DateTimeOffset? BeganAt { get; private set; }

    /// <summary>Its state, in one sentence.</summary>
    public string Status => BeganAt is { } began
        ? string.Create(CultureInfo.InvariantCulture, $"Model {model} has been loading since {began.UtcDateTime:HH:mm:ss} UTC.")
        : $"Model {model} is waiting: other models are being loaded.";

    /// <summary>Makes the calling thread the thread of this load.</summary>
    public void Begin(DateTimeOffset now)
    {
        Running.Value = this;
        lock (_gate)
        {
            (_thread, BeganAt) = (LoadThread.OfCaller(), now);
            if (_isCancelled)
            {
                _thread.Lower();
            }
        }
    }

    /// <summary>Allows the opening of a session to be cancelled, until the returned object is disposed.</summary>
    /// <exception cref="OperationCanceledException">The load is already cancelled.</exception>
    public IDisposable Opening(SessionOptions options)
    {
        lock (_gate)
        {
            if (_isCancelled)
            {
                throw new OperationCanceledException($"The load of model {model} was cancelled.");
            }

            _opening.Add(options);
            return new Opened(this, options);
        }
    }

    /// <summary>
    /// Cancels it at the next check of the runtime. The runtime checks between the steps of opening a session, and one step may take hours, so the
    /// thread continues at the lowest priority.
    /// </summary>
    public void Cancel()
    {
        lock (_gate)
        {
            _isCancelled = true;
            _opening.ForEach(static options => options.SetLoadCancellationFlag(true));
            _thread?.Lower();
        }
    }

    private sealed class Opened(ModelLoad load, SessionOptions options) : IDisposable
    {
        public void Dispose()
        {
            lock (load._gate)
            {
                load._opening.Remove(options);
            }
        }
    }

    /// <summary>A thread whose priority can be lowered from outside, where the system has priorities of threads.</summary>
    private sealed unsafe class LoadThread
    {
        private const int Process = 0;
        private const int Lowest = 19;

        private readonly int _id;

        private LoadThread(int id) => _id = id;

        public static LoadThread OfCaller() => new(Export("gettid") is var id and not 0 ? ((delegate* unmanaged<int>)id)() : 0);

        /// <summary>Linux accepts a thread's number in the place of a process's; .NET's own priorities have no effect there.</summary>
        public void Lower()
        {
            if (_id > 0 && Export("setpriority") is var set and not 0)
            {
                _ = ((delegate* unmanaged<int, int, int, int>)set)(Process, _id, Lowest);
            }
        }

        private static nint Export(string name) =>
            OperatingSystem.IsLinux() && NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), name, out nint address) ? address : 0;
    }
}
