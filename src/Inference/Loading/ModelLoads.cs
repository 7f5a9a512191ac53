using Detection.Inference.Manifest;

namespace Detection.Inference.Loading;

/// <summary>
/// Loads models, each on a separate thread and one after the other. A slow load gives its place to the next one, so that no model delays another; a
/// few slow loads may run at the same time. A load that exceeds its limit is abandoned, and the content of its files is not retried while its thread
/// runs, and for some time after that.
/// </summary>
#pragma warning disable CA1001 // Abandoned loads may outlive their device; semaphores without a wait handle have nothing to dispose.
internal sealed class ModelLoads
#pragma warning restore CA1001
{
    /// <summary>Maximum number of slow loads, abandoned or not. Each may keep a thread busy until the process ends.</summary>
    public const int MaxSlow = 4;

    /// <summary>Multiple of the limit for which an abandoned load is not retried after it has ended.</summary>
    private const int RestFactor = 12;

    /// <summary>Number of contents that are remembered. A folder with more slow models was filled deliberately.</summary>
    private const int MaxRemembered = 256;

    private readonly TimeSpan _usualTime;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _first = new(1);
    private readonly SemaphoreSlim _others = new(1);
    private readonly SemaphoreSlim _slow = new(MaxSlow);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, GivenUp> _givenUp = new(StringComparer.Ordinal);

    /// <param name="usualTime">How long a load keeps its place before it counts as a slow one.</param>
    /// <param name="time">Clock.</param>
    public ModelLoads(TimeSpan usualTime, TimeProvider time) => (_usualTime, _time) = (usualTime, time);

    /// <summary>Loads a model when it is its turn.</summary>
    /// <typeparam name="T">The result of the load.</typeparam>
    /// <param name="load">The load.</param>
    /// <param name="isFirst">Whether it has a place of its own and does not wait for other models.</param>
    /// <param name="content">Computes the hash of the content. Runs on the thread of the load.</param>
    /// <param name="work">Loads the model. Runs on the thread of the load.</param>
    /// <param name="unwanted">Frees a result that arrives after the load was abandoned.</param>
    /// <param name="cancellationToken">Abandons the load.</param>
    /// <exception cref="ModelException">It exceeded its limit, now or earlier.</exception>
    public async Task<T> RunAsync<T>(
        ModelLoad load, bool isFirst, Func<string> content, Func<T> work, Action<T> unwanted, CancellationToken cancellationToken)
    {
        var place = isFirst ? _first : _others;
        await place.WaitAsync(cancellationToken);
        var running = Start(load, content, work);
        _ = KeepPlaceAsync(place, running);
        try
        {
            await Task.WhenAny(running, load.Unending).WaitAsync(load.Limit, _time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _ = EndAsync(load, running, Earlier, unwanted);
            throw;
        }
        catch (TimeoutException)
        {
            _ = EndAsync(load, running, Over, unwanted);
            throw Over(load);
        }

        if (!running.IsCompleted)
        {
            _ = EndAsync(load, running, Unending, unwanted);
            throw Unending(load);
        }

        return await running;
    }

    private static ModelException Over(ModelLoad load) => new(
        $"Model {load.Model} could not be loaded within {load.Limit:c}; export it again in a simpler form, or raise Detection:Models:LoadTimeout and restart.");

    private static ModelException Unending(ModelLoad load) => new(
        $"Model {load.Model} cannot be run: an operation of its graph does not end. Export it again; its thread stays busy until a restart.");

    private static ModelException Earlier(ModelLoad load) => new(
        $"Model {load.Model} cannot be loaded yet: an earlier load of the same file was given up and has not ended; export it again in a simpler form.");

    private Task<T> Start<T>(ModelLoad load, Func<string> content, Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                load.Begin(_time.GetUtcNow());
                load.Content = content();
                RefuseGivenUp(load);
                done.SetResult(work());
            }
#pragma warning disable CA1031 // Rethrown where it is awaited.
            catch (Exception e)
#pragma warning restore CA1031
            {
                done.SetException(e);
            }
            finally
            {
                UnendedLoads.End();
            }
        })
        {
            IsBackground = true,
            Name = $"Load of {load.Model}",
        };
        UnendedLoads.Begin();
        thread.Start();
        return done.Task;
    }

    private async Task KeepPlaceAsync(SemaphoreSlim place, Task running)
    {
        using var ended = new CancellationTokenSource();
        Task leaving;
        try
        {
            if (await HasEndedAsync(running, Task.Delay(_usualTime, _time, ended.Token)))
            {
                await ended.CancelAsync();
                return;
            }

            leaving = _slow.WaitAsync(ended.Token);
            if (await HasEndedAsync(running, leaving))
            {
                await ended.CancelAsync();
            }
        }
        finally
        {
            place.Release();
        }

        await leaving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (leaving.IsCompletedSuccessfully)
        {
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _slow.Release();
        }
    }

    private static async Task<bool> HasEndedAsync(Task running, Task other) => await Task.WhenAny(running, other) == running;

    /// <summary>Waits for the thread of an abandoned load.</summary>
    private async Task EndAsync<T>(ModelLoad load, Task<T> running, Func<ModelLoad, ModelException> error, Action<T> unwanted)
    {
        load.Cancel();
        Remember(load, new GivenUp(error, DateTimeOffset.MaxValue));
        await ((Task)running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (running.IsCompletedSuccessfully)
        {
            unwanted(await running);
        }

        Remember(load, new GivenUp(error, _time.GetUtcNow() + (error == Earlier ? TimeSpan.Zero : RestFactor * load.Limit)));
    }

    private void Remember(ModelLoad load, GivenUp givenUp)
    {
        if (load.Content is not { } content)
        {
            return;
        }

        lock (_gate)
        {
            if (_givenUp.Count >= MaxRemembered && !_givenUp.ContainsKey(content))
            {
                _givenUp.Remove(_givenUp.MinBy(known => known.Value.Until).Key);
            }

            _givenUp[content] = givenUp;
        }
    }

    private void RefuseGivenUp(ModelLoad load)
    {
        lock (_gate)
        {
            if (!_givenUp.TryGetValue(load.Content!, out var known))
            {
                return;
            }

            if (known.Until > _time.GetUtcNow())
            {
                throw known.Error(load);
            }

            _givenUp.Remove(load.Content!);
        }
    }

    /// <summary>An abandoned load.</summary>
    /// <param name="Error">The error of the load.</param>
    /// <param name="Until">The time of the next retry.</param>
    private sealed record GivenUp(Func<ModelLoad, ModelException> Error, DateTimeOffset Until);
}
