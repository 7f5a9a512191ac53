using System.Runtime.CompilerServices;
using Detection.Inference.Models;

namespace Detection.Inference.Devices;

/// <summary>Loads models without waiting for runs that cannot be ended, so that other models can be loaded.</summary>
internal static class BoundedLoad
{
    /// <summary>Models that keep a thread busy until the process ends. Trying one again would cost another thread.</summary>
    private static readonly ConditionalWeakTable<ModelSource, ModelException> Known = [];

    /// <summary>Loads a model on a thread of its own.</summary>
    /// <param name="model">The model.</param>
    /// <param name="unending">Completed when one of its runs goes on that was ended.</param>
    /// <param name="load">Loads it.</param>
    /// <param name="cancellationToken">Gives up waiting; what comes late is disposed.</param>
    /// <exception cref="ModelException">It cannot be loaded.</exception>
    public static async Task<IModelSession> RunAsync(
        ModelSource model, Task unending, Func<Task<IModelSession>> load, CancellationToken cancellationToken)
    {
        if (Known.TryGetValue(model, out var known))
        {
            throw new ModelException(known.Message, known);
        }

        var loading = Task.Run(load, cancellationToken);
        try
        {
            await Task.WhenAny(loading, unending).WaitAsync(cancellationToken);
            if (!loading.IsCompleted)
            {
                var error = new ModelException(
                    $"Model {model.Name} cannot be run: an operation of its graph does not end. Export it again; what it takes of the processor is free after a restart.");
                Known.AddOrUpdate(model, error);
                throw error;
            }
        }
        catch
        {
            _ = DisposeLateAsync(loading);
            throw;
        }

        return await loading;
    }

    private static async Task DisposeLateAsync(Task<IModelSession> loading)
    {
        try
        {
            await using var late = await loading;
        }
#pragma warning disable CA1031 // It is not wanted any more.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }
}
