using System.ComponentModel.DataAnnotations;
using Detection.Contracts.Messages;
using Detection.Contracts.Settings;
using Detection.Inference.Repository;

namespace Detection.Hosting;

/// <summary>The models that a process with devices is configured to have.</summary>
public static class ConfiguredModels
{
    /// <summary>
    /// Requires that the model that a setting names is in the folder of models. Where nothing is set, or the folder has no model yet, nothing is required.
    /// </summary>
    /// <param name="configuration">The settings.</param>
    /// <param name="setting">Key of the one that names a model.</param>
    /// <exception cref="ValidationException">The folder has other models and not this one.</exception>
    public static void RequireModel(this IConfiguration configuration, string setting)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var folder = configuration.ReadValidated<ModelOptions>(ModelOptions.Section).Directory;
        var models = ModelRepository.FindNames(folder);
        if (configuration[setting] is { Length: > 0 } model && models.Count > 0 && !models.Contains(model.Split('@')[0]))
        {
            throw new ValidationException($"The setting '{setting}' is '{model}', and {Path.GetFullPath(folder)} has no model of this name. {NearestName.Proposal(model, models)}");
        }
    }
}
