/* What an operator may do to its outputs, numbered as in cl/activation.clh. */
#ifndef US_OPS_ACTIVATION_H
#define US_OPS_ACTIVATION_H

enum us_activation {
    US_ACT_NONE,
    US_ACT_RELU,
    US_ACT_GELU /* x Phi(x), Phi the normal distribution function: torch.nn.GELU's default, not the tanh form
                 */
};

#endif
